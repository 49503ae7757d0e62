import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate for 127.0.0.1 that vouches for itself, made by `openssl`. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly text: string;
}

export async function selfSigned(folder: string): Promise<Certificate> {
  mkdirSync(folder, { recursive: true });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...request, '-keyout', keyFile, '-out', certFile, ...names]);
  return { certFile, keyFile, text: readFileSync(certFile, 'utf8') };
}
