import { PhoenixApi, type KeyRecord } from './phoenix-api';
import type { ApiKeyListInputs, PhoenixAccess } from '../components/observability-contract';
import type { Kind } from './resource';

type Api = Pick<PhoenixApi, 'keys' | 'revoke' | 'ready' | 'close'>;

/**
 * The API keys that a stack has in Phoenix: revokes every other key with its description. An ApiKey that is deleted knows only
 * the admin secret of its last deployment, which Phoenix may no longer accept. This resource always has the current one, runs
 * in every deployment that changes a key or the secret, and in the next one if anything is left over.
 * @param open default: through the Docker Engine; tests use a stand-in
 */
export const apiKeyList = (open: (access: PhoenixAccess) => Api = (access) => new PhoenixApi(access)): Kind<ApiKeyListInputs, ApiKeyListInputs> => {
  const using = async <T>(inputs: ApiKeyListInputs, work: (api: Api) => Promise<T>): Promise<T> => {
    const api = open(inputs);
    try {
      return await work(api);
    } finally {
      api.close();
    }
  };
  const leftOver = async (api: Api, { description, keyIds }: ApiKeyListInputs): Promise<KeyRecord[]> =>
    (await api.keys()).filter((key) => key.description === description && !keyIds.includes(key.id));

  const clear = async (inputs: ApiKeyListInputs): Promise<ApiKeyListInputs> => {
    // Without auth Phoenix lists no keys, and nothing requires one.
    if (inputs.auth) {
      await using(inputs, async (api) => {
        await api.ready();
        for (const { id } of await leftOver(api, inputs)) {
          await api.revoke(id);
        }
      });
    }
    return inputs;
  };

  return {
    // A Phoenix that cannot be reached now shows no drift.
    drifted: async (outputs) => outputs.auth && using(outputs, async (api) => (await leftOver(api, outputs)).length > 0).catch(() => false),
    create: clear,
    update: (_, inputs) => clear(inputs),
  };
};
