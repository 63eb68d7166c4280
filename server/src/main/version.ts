/** What the server says it is. */
export const PRODUCT_VERSION = '0.1.0';

/** Answer of version(): the compatible version first, as drivers parse it. */
export function versionText(host: {
  platform: string;
  architecture: string;
  runtimeVersion: string;
}): string {
  return `PostgreSQL 15.18 (FastPostgres ${PRODUCT_VERSION}) on ${host.architecture}-${host.platform}, Node.js ${host.runtimeVersion}, 64-bit`;
}
