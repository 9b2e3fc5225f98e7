import { beyondThisMachine } from '../components/address';
import type { Tls } from '../components/tls';
import type { Settings } from '../settings/keys';
import { certificateText, keyText } from '../settings/tls';

/** TLS for ports on these addresses, if one of them is beyond this machine and a certificate is set. */
export function tlsOn(settings: Settings, addresses: readonly string[], bridge: readonly string[]): Tls | undefined {
  const { 'tls:certificate': certificate, 'tls:key': key } = settings;
  const beyond = beyondThisMachine(addresses, bridge);
  return certificate === undefined || key === undefined || beyond.length === 0 ? undefined : { certificate: certificateText(certificate), key: keyText(key), addresses: beyond };
}
