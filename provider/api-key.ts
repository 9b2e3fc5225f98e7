import { PhoenixApi, Unreachable, type KeyRecord, type PhoenixAccess } from './phoenix-api';
import type { Kind } from './resource';

export interface ApiKeyInputs extends PhoenixAccess {
  readonly name: string;
  /** Tells the keys of this stack from those that people made; names are not unique in Phoenix. */
  readonly description: string;
  /** PHOENIX_SECRET, with which Phoenix signs keys: another one makes all of them worthless. */
  readonly signedWith: string;
  /** ID of Phoenix's container: another one may have another database. */
  readonly server: string;
}

export interface ApiKeyOutputs extends ApiKeyInputs {
  /** Phoenix's own ID of the key; empty while there is none, because auth was never on. */
  readonly keyId: string;
  readonly key: string;
}

type Api = Pick<PhoenixApi, 'keys' | 'mint' | 'revoke' | 'accepts' | 'ready' | 'close'>;

/**
 * A system API key of Phoenix. It outlives auth being off, when Phoenix can neither mint nor tell: a stack
 * that switches back has the key it had. One that no longer works is minted again.
 * @param open default: through the Docker Engine; tests put a stand-in here
 */
export const apiKey = (open: (access: PhoenixAccess) => Api = (access) => new PhoenixApi(access)): Kind<ApiKeyInputs, ApiKeyOutputs> => {
  const using = async <T>(access: PhoenixAccess, work: (api: Api) => Promise<T>): Promise<T> => {
    const api = open(access);
    try {
      return await work(api);
    } finally {
      api.close();
    }
  };
  const ours = (inputs: ApiKeyInputs, keys: readonly KeyRecord[]): KeyRecord[] =>
    keys.filter(({ name, description }) => name === inputs.name && description === inputs.description);

  /** @param keep whether keys of this name that are there already belong to somebody who will revoke them */
  const minted = (inputs: ApiKeyInputs, keep: boolean): Promise<ApiKeyOutputs> =>
    using(inputs, async (api) => {
      await api.ready();
      // Phoenix shows a key once: one that a cut-off run has left can only be thrown away.
      const leftovers = keep ? [] : ours(inputs, await api.keys());
      const { id, key } = await api.mint(inputs.name, inputs.description);
      for (const leftover of leftovers) {
        await api.revoke(leftover.id);
      }
      return { ...inputs, keyId: id, key };
    });

  return {
    secrets: ['key'],
    identity: ['name', 'description'],

    async drifted({ key, ...access }) {
      return access.auth && (key === '' || (await using(access, (api) => api.accepts(key))) === false);
    },

    create: (inputs, replaces) => (inputs.auth ? minted(inputs, replaces) : Promise.resolve({ ...inputs, keyId: '', key: '' })),

    async update({ key, keyId }, inputs) {
      const works = async (): Promise<boolean> =>
        using(inputs, async (api) => {
          await api.ready();
          return (await api.accepts(key)) === true;
        });
      return !inputs.auth || (key !== '' && (await works())) ? { ...inputs, key, keyId } : minted(inputs, false);
    },

    async read(outputs) {
      const { auth, key } = outputs;
      return auth && key !== '' && (await using(outputs, (api) => api.accepts(key))) === false ? { ...outputs, key: '', keyId: '' } : outputs;
    },

    async delete({ auth, keyId, ...access }) {
      // Without auth Phoenix does not let anybody near its keys, and a key opens nothing that is not open.
      if (!auth || keyId === '') {
        return;
      }
      await using({ auth, ...access }, (api) => api.revoke(keyId)).catch((error: Error) => {
        // A Phoenix that is gone must not keep the stack from going; what is left there, the next key of this name revokes.
        if (!(error instanceof Unreachable)) {
          throw error;
        }
      });
    },
  };
};
