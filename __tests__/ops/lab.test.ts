import * as ask from '../../ops/support/ask';
import { projectDir } from '../../ops/support/backend';
import { builtCli, buildPlan, planLines, standInsFor, told } from '../../ops/support/lab';
import { Failure } from '../../ops/support/say';
import { listen } from '../support/said';

const mockLab = { __esModule: true, plan: jest.fn(), lack: jest.fn(), lackText: () => '/var: 1,200 MB are missing.', builtPulumiCli: jest.fn(), cacheRoot: () => '/cache', standIns: jest.fn() };
jest.mock('../../lab', () => mockLab);
jest.mock('../../ops/support/ask', () => ({ agreed: jest.fn(), atTerminal: jest.fn() }));

const pulumi = { part: 'pulumi', title: 'Pulumi CLI 3.259.0', from: 'the Go module proxy', minutes: 4, megabytes: 1_900, packages: ['golang-go'], costs: [] } as const;
const phoenix = { part: 'phoenix', title: 'Arize Phoenix 20.26.1', from: 'PyPI and Debian packages', minutes: 12, megabytes: 2_640, packages: ['mmdebstrap', 'golang-go'], costs: [] } as const;

let said: string[];
beforeEach(() => {
  said = listen();
  mockLab.plan.mockReset().mockResolvedValue([pulumi]);
  mockLab.lack.mockReset().mockResolvedValue([]);
  jest.mocked(ask.agreed).mockReset().mockResolvedValue(false);
  jest.mocked(ask.atTerminal).mockReset().mockReturnValue(false);
});

test('the plan says what is built, from where, how long it takes, how much disk, and what is installed', () => {
  expect(planLines([pulumi, phoenix])).toEqual([
    'To be built here, once, because it cannot be downloaded:',
    '  Pulumi CLI 3.259.0     from the Go module proxy        4 min  1.9 GB',
    '  Arize Phoenix 20.26.1  from PyPI and Debian packages  12 min  2.6 GB',
    'It takes up to 16 minutes on two idle cores and 4.5 GB of disk.',
    'Debian packages that are installed for it: golang-go, mmdebstrap',
  ]);
});

test('nothing is said or asked where all is built', async () => {
  mockLab.plan.mockResolvedValue([]);
  jest.mocked(ask.atTerminal).mockReturnValue(true);
  expect(await buildPlan(['pulumi'], 'ask', { env: { DOCKER_HOST: 'tcp://engine' } })).toBe(mockLab);
  expect(mockLab.plan.mock.calls).toEqual([[['pulumi'], { env: { DOCKER_HOST: 'tcp://engine' } }]]);
  expect([said, jest.mocked(ask.agreed).mock.calls]).toEqual([[], []]);
});

// The yes is the process's, which is a run's: who says no comes first.
describe('at a terminal', () => {
  beforeEach(() => jest.mocked(ask.atTerminal).mockReturnValue(true));

  test('a no, Ctrl-C or Ctrl-D ends it with one line', async () => {
    await expect(buildPlan(['pulumi'], 'ask')).rejects.toThrow(/^Nothing was built\.$/);
    expect(jest.mocked(ask.agreed).mock.calls).toEqual([['Build these now? [y/N] ']]);
    expect(said).toEqual(planLines([pulumi]));
  });

  test('a yes holds for the whole run: there is one question, whatever else is to be built', async () => {
    jest.mocked(ask.agreed).mockResolvedValue(true);
    await buildPlan(['pulumi'], 'ask');
    mockLab.plan.mockResolvedValue([phoenix]);
    await buildPlan(['phoenix'], 'ask');
    expect(jest.mocked(ask.agreed).mock.calls).toHaveLength(1);
    expect(said).toEqual([...planLines([pulumi]), ...planLines([phoenix])]);
  });
});

test.each<[string, ask.Consent, boolean]>([
  ['without a terminal', 'ask', false],
  ['with --yes', 'yes', true],
])('%s it goes on after the plan', async (_, consent, terminal) => {
  jest.mocked(ask.atTerminal).mockReturnValue(terminal);
  expect(await buildPlan(['pulumi'], consent)).toBe(mockLab);
  expect(said).toEqual(planLines([pulumi]));
  expect(ask.agreed).not.toHaveBeenCalled();
});

test('a command that changes nothing builds nothing', async () => {
  await expect(buildPlan(['pulumi'], 'never')).rejects.toThrow(new Failure('Nothing is built by this command.', ['npm run up']));
});

test('a disk that is too small is said before anything begins', async () => {
  mockLab.lack.mockResolvedValue([{ folder: '/var', needed: 2_000, free: 800 }]);
  await expect(buildPlan(['pulumi'], 'yes')).rejects.toThrow(new Failure('Nothing was built. /var: 1,200 MB are missing.', ['df -h /var']));
});

test('what a build says of its failure is shown without a stack', async () => {
  await expect(told(Promise.reject(new Error('Building it needs Go 1.21.')))).rejects.toThrow(new Failure('Building it needs Go 1.21.'));
  await expect(told(Promise.resolve(1))).resolves.toBe(1);
  mockLab.plan.mockRejectedValue(new Error('this machine has no apt'));
  await expect(buildPlan(['pulumi'], 'yes')).rejects.toBeInstanceOf(Failure);
});

test('stand-ins and a CLI that is there come from the lab', async () => {
  mockLab.builtPulumiCli.mockReturnValue('/built/pulumi');
  mockLab.standIns.mockResolvedValue('/stand-ins');
  expect([await builtCli(), await standInsFor(['docker'])]).toEqual(['/built/pulumi', '/stand-ins']);
  expect(mockLab.standIns.mock.calls).toEqual([[['docker'], { projectDir, cacheDir: '/cache' }]]);
});
