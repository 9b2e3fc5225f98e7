/** In the place of TypeScript and of npm's arborist inside the Pulumi SDK: see jest.config.js. Whoever needs one of them here is told so. */
module.exports = Object.defineProperty({}, '__esModule', { value: true });
for (const name of ['Arborist', 'createSourceFile', 'transform', 'SyntaxKind', 'ScriptTarget']) {
  Object.defineProperty(module.exports, name, {
    get() {
      throw new Error(`${name}: a function is being serialized, for which jest.config.js leaves out what the Pulumi SDK needs`);
    },
  });
}
