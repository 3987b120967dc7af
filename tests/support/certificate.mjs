// Creates certificates for test servers.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Creates a certificate for `localhost` with its private key, and the certificate authority that signs it, also for `localhost`. Returns the paths of
 * the files, which are deleted after the test.
 */
export function certificate(test) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-certificate-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name) => join(folder, name);
  const make = (name, ...args) => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file(`${name}.key`)];
    execFileSync("openssl", ["req", "-x509", ...key, "-out", file(`${name}.pem`), "-days", "2", ...args], { stdio: "ignore" });
  };
  make("ca", "-subj", "/CN=Orgo test authority", "-addext", "subjectAltName=DNS:localhost");
  const signer = ["-CA", file("ca.pem"), "-CAkey", file("ca.key")];
  const extensions = ["subjectAltName=DNS:localhost", "basicConstraints=critical,CA:FALSE"];
  make("server", "-subj", "/CN=localhost", ...signer, ...extensions.flatMap((extension) => ["-addext", extension]));
  return { ca: file("ca.pem"), ca_key: file("ca.key"), cert: file("server.pem"), key: file("server.key") };
}
