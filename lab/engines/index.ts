/** Additional Docker Engines, and other programs in namespaces, for tests. */
export { createContext, useContext } from './context';
export { startEngine, type Engine } from './engine';
export { copyImages } from './images';
export { startRootless } from './rootless';
export { startSandbox } from './sandbox';
export { startSsh, type SshAccess } from './ssh';
export { engineTree, type Tree } from './tree';
