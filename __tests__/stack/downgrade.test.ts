import { container, type Answer } from '../support/fake-engine';
import { inspect, own } from '../support/inspect-host';

// What runs on the machine of the test must not matter.
jest.mock('../../engine/host-ports', () => ({ ...jest.requireActual<object>('../../engine/host-ports'), isHeld: () => Promise.resolve(false) }));

describe('an older Phoenix than the one that runs', () => {
  const newer = 'arizephoenix/phoenix:version-99.1.0-nonroot';
  /** What the engine says of the stack's Phoenix. */
  const runs = (image: string, status = 'running', name = 'phoenix-dev', labels: Record<string, string> = own): Record<string, Answer> => ({
    '/containers/json': [{ ...container(name, 7777, labels), Image: 'sha256:0123456789ab', State: status }],
    [`/containers/${name}-id/json`]: { Name: `/${name}`, Config: { Image: image }, State: { Status: status }, NetworkSettings: { Ports: {} } },
  });

  test.each([newer, 'arizephoenix/phoenix:99.1.0', `my/phoenix:v99.1.0@sha256:${'0'.repeat(64)}`])('is refused, with what to set: %s', async (image) => {
    expect((await inspect({}, runs(image))).problems).toEqual([{
      key: 'phoenix:image',
      value: 'arizephoenix/phoenix:version-20.26.1-nonroot',
      rule: 'Phoenix 99.1.0 runs on the database of this stack, and Phoenix has no downgrade of its database; docs/upgrade.md says how to go back',
      mend: [`pulumi config set phoenix:image ${image}`],
    }]);
  });

  test.each<[string, Record<string, Answer>, Record<string, string>]>([
    ['the same version', runs('arizephoenix/phoenix:version-20.26.1-nonroot'), {}],
    ['the same version, built here', runs('lab/phoenix:20.26.1'), {}],
    ['a newer one than the one that runs', runs('arizephoenix/phoenix:version-20.9.3-nonroot'), {}],
    ['a tag that is no version is wanted', runs(newer), { 'phoenix:image': `my/phoenix:ours@sha256:${'1'.repeat(64)}` }],
    ['a tag that is no version runs', runs(`my/phoenix:ours@sha256:${'1'.repeat(64)}`), {}],
    ['only a digest runs', runs(`sha256:${'1'.repeat(64)}`), {}],
    ['the newer one has never come up', runs(newer, 'restarting'), {}],
    ['the newer one is one of somebody else', runs(newer, 'running', 'phoenix-other', {}), {}],
    ['what is newer is no Phoenix', runs('grafana/alloy:v99.0.0', 'running', 'alloy-dev'), {}],
  ])('is not what this is: %s', async (_, answers, config) => {
    expect((await inspect(config, answers)).problems).toEqual([]);
  });
});
