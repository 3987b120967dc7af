import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Controls access to the dashboard. Every user account of the host can connect to a port on 127.0.0.1. Therefore each
 * start of the server generates a key, which is part of the URL that the terminal shows. A browser that opens this URL gets
 * a cookie. The server rejects requests that have neither the key nor the cookie.
 *
 * The value of the cookie differs from the key, because a browser sends the cookie with every request. Both are valid until the
 * server exits, so the printed URL also works in a second browser.
 */
export class Access {
  #key = makeSecret();
  #session = makeSecret();

  /**
   * @param {number} port
   * @returns {string} the URL that opens the dashboard
   */
  address(port) {
    return `http://127.0.0.1:${port}/?key=${this.#key}`;
  }

  /**
   * @param {string[]} keys the values of the query parameter `key` of a request
   * @returns {boolean}
   */
  isOpenedBy(keys) {
    return keys.length === 1 && isEqual(keys[0], this.#key);
  }

  /**
   * Returns the `Set-Cookie` header. Browsers send a cookie to all ports of a host, so the name of the cookie contains the
   * port. Otherwise two dashboards would overwrite each other's cookie.
   *
   * @param {number} port
   * @returns {string}
   */
  cookie(port) {
    return `${cookieName(port)}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /**
   * @param {string | undefined} header the `Cookie` header of a request
   * @param {number} port
   * @returns {boolean}
   */
  hasCookie(header, port) {
    const prefix = `${cookieName(port)}=`;
    return (header ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .some((pair) => pair.startsWith(prefix) && isEqual(pair.slice(prefix.length), this.#session));
  }
}

function makeSecret() {
  return randomBytes(32).toString("base64url");
}

function cookieName(port) {
  return `orgo-dashboard-${port}`;
}

/** Compares two strings in constant time. Compares their digests because `timingSafeEqual` requires inputs of the same length. */
function isEqual(one, other) {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text) {
  return createHash("sha256").update(text).digest();
}
