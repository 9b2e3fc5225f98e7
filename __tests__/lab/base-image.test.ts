import { execFileSync } from 'node:child_process';
import { inOwnGroup } from '../../lab/base-image';

describe('mmdebstrap', () => {
  const ada = { gid: 1000, username: 'ada' };
  const command = ['mmdebstrap', '--include=a b', "it's", 'base.tar'];

  test('is run as it is in the group of the user, and by root', async () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1000);
    expect(await inOwnGroup(command, ada, 1000)).toEqual(command);
    jest.spyOn(process, 'getuid').mockReturnValue(0);
    expect(await inOwnGroup(command, ada, 101)).toEqual(command);
  });

  test("is run in the user's group from within `sg docker`, its arguments as they are", async () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1000);
    const [sg, group, option, line = ''] = await inOwnGroup(['printf', '%s|', ...command], { gid: 1000, username: 'root' }, 101);
    expect([sg, group, option]).toEqual(['sg', 'root', '-c']);
    expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(`${command.join('|')}|`);
  });
});
