import { PhoenixApi } from './phoenix-api';
import type { PhoenixSettingsInputs, PhoenixAccess } from '../components/observability-contract';
import { tell } from './progress';
import type { Kind } from './resource';

export interface PhoenixSettingsOutputs extends PhoenixSettingsInputs {
  /** Whether this database was checked for the default password, which everybody knows. Older stacks do not have it. */
  readonly passwordAsked?: boolean;
}

type Api = Pick<PhoenixApi, 'ready' | 'setRetention' | 'replaceDefaultPassword' | 'close'>;

/** What Phoenix reads from its environment only when it creates its database, and so must be set in Phoenix later. */
export const phoenixSettings = (open: (access: PhoenixAccess) => Api = (access) => new PhoenixApi(access)): Kind<PhoenixSettingsInputs, PhoenixSettingsOutputs> => {
  const apply = async (inputs: PhoenixSettingsInputs, before?: PhoenixSettingsOutputs): Promise<PhoenixSettingsOutputs> => {
    const api = open(inputs);
    try {
      await api.ready();
      if (inputs.retentionDays !== undefined) {
        await api.setRetention(inputs.retentionDays);
      }
      return { ...inputs, passwordAsked: inputs.auth && (isAsked(inputs, before) || (await asked(api, inputs))) };
    } finally {
      api.close();
    }
  };
  return {
    drifted: async ({ auth, passwordAsked }) => auth && passwordAsked === false,
    create: (inputs) => apply(inputs),
    update: (before, inputs) => apply(inputs, before),
  };
};

/** Each check is a login attempt, which Phoenix counts. A database that is not new has been checked already. */
const isAsked = ({ server }: PhoenixSettingsInputs, before: PhoenixSettingsOutputs | undefined): boolean =>
  before !== undefined && before.auth && before.server === server && before.passwordAsked !== false;

async function asked(api: Api, { firstPassword }: PhoenixSettingsInputs): Promise<boolean> {
  const replaced = await api.replaceDefaultPassword(firstPassword);
  if (replaced === undefined) {
    tell('Phoenix accepts no login of its first administrator now, after too many wrong passwords. The next npm run up checks whether the default password still works.');
  }
  return replaced !== undefined;
}
