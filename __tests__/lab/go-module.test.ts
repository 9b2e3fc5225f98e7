import { wrapGoMod, type GoProgram } from '../../lab/go-module';

const upstream = `module example.com/tool

go 1.24.6

toolchain go1.25.0

require (
	example.com/a v1.0.0 // replace example.com/x => example.com/y v9.9.9
	example.com/tool/syntax v0.0.0
)

// A comment: replace example.com/z => example.com/zz v1.0.0
replace example.com/a v1.0.0 => example.com/fork-of-a v1.0.1 // temporary

replace (
	// why b
	example.com/b => example.com/fork-of-b v0.0.0-20240101000000-abcdefabcdef
	example.com/tool/syntax => ./syntax
)

replace(
	example.com/tool/sdk v1.0.0	=>	../sdk
)

exclude (
	example.com/old v8.0.0+incompatible
)
exclude example.com/older v1.0.0
`;

const program: GoProgram = {
  module: 'example.com/tool',
  version: 'v1.11.0',
  siblings: { 'example.com/tool/syntax': 'v0.1.1', 'example.com/tool/sdk': 'v1.11.0' },
};

describe('wrapGoMod', () => {
  test('requires the module and its siblings, and copies what Go applies in the main module only', () => {
    expect(wrapGoMod(upstream, program)).toBe(`module lab

go 1.24.6

require example.com/tool v1.11.0
require example.com/tool/syntax v0.1.1
require example.com/tool/sdk v1.11.0

replace example.com/a v1.0.0 => example.com/fork-of-a v1.0.1
replace example.com/b => example.com/fork-of-b v0.0.0-20240101000000-abcdefabcdef

exclude example.com/old v8.0.0+incompatible
exclude example.com/older v1.0.0
`);
  });

  test('names every module that only a directory of the repository has', () => {
    expect(() => wrapGoMod(upstream, { ...program, siblings: {} })).toThrow(
      'example.com/tool v1.11.0 takes example.com/tool/syntax, example.com/tool/sdk from a directory of its repository',
    );
  });

  test('a copy takes the place of the module, and of nothing else', () => {
    const lines = wrapGoMod(upstream, { ...program, files: { 'main.go': '' } }, [], './copy').split('\n');
    expect(lines.filter((line) => line.startsWith('replace '))).toEqual([
      'replace example.com/a v1.0.0 => example.com/fork-of-a v1.0.1',
      'replace example.com/b => example.com/fork-of-b v0.0.0-20240101000000-abcdefabcdef',
      'replace example.com/tool v1.11.0 => ./copy',
    ]);
    expect(lines).toContain('require example.com/tool v1.11.0');
  });

  test('names the newest Go that one of its modules asks for, where the module itself asks for less', () => {
    const lines = (others: string[]): string[] => wrapGoMod(upstream, program, others).split('\n').filter((line) => /^(go|toolchain) /.test(line));
    expect(lines(['module a\n\ngo 1.26.5\n', 'module b\n\ngo 1.25\n'])).toEqual(['go 1.24.6', 'toolchain go1.26.5']);
    expect(lines(['module a\n\ngo 1.21\n', 'module b\n'])).toEqual(['go 1.24.6']);
  });

  test('a module without any of that', () => {
    expect(wrapGoMod('module example.com/tool\n', { module: 'example.com/tool', version: 'v1.0.0' })).toBe(
      'module lab\n\nrequire example.com/tool v1.0.0\n\n\n',
    );
  });
});
