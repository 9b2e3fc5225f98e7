export { alloyImage } from './alloy-image';
export { gateImage } from './gate';
export { phoenixImage } from './phoenix';
