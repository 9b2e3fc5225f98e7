export { alloyImage } from './alloy-image';
export { phoenixImage } from './phoenix';
