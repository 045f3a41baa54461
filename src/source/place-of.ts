import { hostname } from 'node:os';

/** A host as other machines would see it, for fingerprints: a socket or loopback means another server on each of them. */
export function placeOf(host: string): string {
  const isLocal = host === '' || host.startsWith('/') || /^(localhost|127\.[\d.]+|::1)$/.test(host);
  return isLocal ? `${hostname()}:${host}` : host;
}
