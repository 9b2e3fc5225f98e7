import { withoutComments } from '../../lab/recipe-file';

test('comments and blank lines do not count, everything else does', () => {
  expect(withoutComments('# why\nFROM a\n\nRUN echo "#" # b\n  # not at the start\n')).toBe('FROM a\nRUN echo "#" # b\n  # not at the start');
});
