import { isDeepStrictEqual } from 'node:util';
import { PhoenixApi, Refused, Broken, Unreachable } from './phoenix-api';
import type { ApiKeyInputs, PhoenixAccess } from '../components/observability-contract';
import type { Kind } from './resource';
import { unknown } from './values';

export interface ApiKeyOutputs extends ApiKeyInputs {
  /** Phoenix's own ID of the key; empty while there is none, because auth was never on. */
  readonly keyId: string;
  readonly key: string;
  /** When it expires, in ISO 8601; empty if never. Earlier versions created only keys without expiry, and did not record it. */
  readonly expiresAt?: string;
}

type Api = Pick<PhoenixApi, 'keys' | 'mint' | 'revoke' | 'accepts' | 'ready' | 'close'>;

const none = { keyId: '', key: '', expiresAt: '' };
const hour = 3_600_000;

/**
 * A system API key of Phoenix. It outlives auth being off, when Phoenix can neither create nor check keys: a stack that
 * switches back has the key it had. A key that no longer works or has expired is created again; `ApiKeyList` revokes the
 * previous one, and those that an interrupted run has left.
 * @param open default: through the Docker Engine; tests use a stand-in
 */
export const apiKey = (open: (access: PhoenixAccess) => Api = (access) => new PhoenixApi(access), now = Date.now): Kind<ApiKeyInputs, ApiKeyOutputs> => {
  const using = async <T>(access: PhoenixAccess, work: (api: Api) => Promise<T>): Promise<T> => {
    const api = open(access);
    try {
      return await work(api);
    } finally {
      api.close();
    }
  };
  const minted = (inputs: ApiKeyInputs): Promise<ApiKeyOutputs> =>
    using(inputs, async (api) => {
      await api.ready();
      const end = inputs.hours ? new Date(now() + inputs.hours * hour) : undefined;
      const { id, key, expires_at: expiresAt } = await api.mint(inputs.name, inputs.description, end);
      return { ...inputs, keyId: id, key, expiresAt: expiresAt === undefined ? '' : new Date(expiresAt).toISOString() };
    });
  /** Whether Phoenix requires a key and rejects this one. */
  const refused = async ({ key, ...access }: ApiKeyOutputs): Promise<boolean> => access.auth && (await using(access, (api) => api.accepts(key))) === false;

  return {
    secrets: ['key'],
    identity: ['name', 'description'],

    // The duration applies to the next key. If the expiry of this one was never recorded, one update records it: previews would
    // not know it.
    same: (before, after) => (Object.keys(after) as (keyof ApiKeyInputs)[]).every((name) => (name === 'hours' && before.expiresAt !== undefined) || isDeepStrictEqual(before[name], after[name])),

    drifted: async (outputs) => outputs.auth && (outputs.key === '' || refused(outputs)),

    async preview(before, inputs) {
      const { keyId, key, expiresAt = '' } = before ?? none;
      const stays = !inputs.auth || (before !== undefined && key !== '' && before.signedWith === inputs.signedWith && !(await refused(before)));
      return { ...inputs, ...(stays ? { keyId, key, expiresAt } : { keyId: unknown, key: unknown, expiresAt: inputs.hours ? unknown : '' }) };
    },

    create: (inputs) => (inputs.auth ? minted(inputs) : Promise.resolve({ ...inputs, ...none })),

    async update({ key, keyId, expiresAt = '', name, description }, inputs) {
      const works = async (): Promise<boolean> =>
        using(inputs, async (api) => {
          await api.ready();
          const accepted = await api.accepts(key);
          // A new key would invalidate a good one, which programs and edge hosts use.
          if (accepted === undefined) {
            throw new Error(`Phoenix does not report whether the API key ${inputs.name} still works; the next deployment asks again`);
          }
          // In different data, as after a copy or a restored backup, its ID may be that of somebody else's key, and it then
          // opens what that key opens.
          return accepted && (await api.keys()).some((one) => one.id === keyId && one.name === name && one.description === description);
        });
      return !inputs.auth || (key !== '' && (await works())) ? { ...inputs, key, keyId, expiresAt } : minted(inputs);
    },

    async read(outputs) {
      return outputs.key !== '' && (await refused(outputs)) ? { ...outputs, ...none } : outputs;
    },

    async delete({ auth, keyId, ...access }) {
      // Without auth Phoenix gives nobody access to its keys, and nothing requires one.
      if (!auth || keyId === '') {
        return;
      }
      await using({ auth, ...access }, (api) => api.revoke(keyId)).catch((error: Error) => {
        // A deleted Phoenix must not prevent the deletion of the stack, and neither must one whose database is gone. One that has a
        // new admin secret by now, or auth off, refuses the secret of this key forever: the key is then left to ApiKeyList.
        if (!(error instanceof Unreachable || error instanceof Refused || error instanceof Broken)) {
          throw error;
        }
      });
    },
  };
};
