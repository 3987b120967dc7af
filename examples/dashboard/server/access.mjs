import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Who may use the dashboard. Every account of the host reaches a port of 127.0.0.1, so each start makes a key, which
 * is part of the address that the terminal shows. The browser that opens this address gets a cookie, and no other
 * request is served.
 *
 * The cookie has a value of its own, so that the key does not travel with every request. Both are valid until the
 * server ends: the printed address opens the dashboard in a second browser too.
 */
export class Access {
  #key = makeSecret();
  #session = makeSecret();

  /**
   * @param {number} port
   * @returns {string} the address that opens the dashboard
   */
  address(port) {
    return `http://127.0.0.1:${port}/?key=${this.#key}`;
  }

  /**
   * @param {string[]} keys the values of `key` in the query of a request
   * @returns {boolean}
   */
  isOpenedBy(keys) {
    return keys.length === 1 && isEqual(keys[0], this.#key);
  }

  /**
   * The `Set-Cookie` header. Browsers send a cookie to every port of a host, so the port is part of its name:
   * otherwise two dashboards would overwrite each other's.
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

/** Compares in constant time. The digests have one length, which `timingSafeEqual` requires. */
function isEqual(one, other) {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text) {
  return createHash("sha256").update(text).digest();
}
