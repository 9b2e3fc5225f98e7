import { PhoenixApi, type PhoenixAccess } from './phoenix-api';
import type { Kind } from './resource';

export interface PhoenixSettingsInputs extends PhoenixAccess {
  /** Days after which traces are deleted; 0 keeps them for ever. Default: what is set in Phoenix. */
  readonly retentionDays?: number;
  /** First password of admin@localhost. */
  readonly firstPassword: string;
  /** ID of Phoenix's container: another one may have another database. */
  readonly server: string;
}

type Api = Pick<PhoenixApi, 'ready' | 'setRetention' | 'replaceDefaultPassword' | 'close'>;

/** What Phoenix reads from its environment only when it makes its database, and so has to be told. */
export const phoenixSettings = (open: (access: PhoenixAccess) => Api = (access) => new PhoenixApi(access)): Kind<PhoenixSettingsInputs, PhoenixSettingsInputs> => {
  const apply = async (inputs: PhoenixSettingsInputs): Promise<PhoenixSettingsInputs> => {
    const api = open(inputs);
    try {
      await api.ready();
      if (inputs.retentionDays !== undefined) {
        await api.setRetention(inputs.retentionDays);
      }
      if (inputs.auth) {
        await api.replaceDefaultPassword(inputs.firstPassword);
      }
    } finally {
      api.close();
    }
    return inputs;
  };
  return { create: apply, update: (_, inputs) => apply(inputs) };
};
