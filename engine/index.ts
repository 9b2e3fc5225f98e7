/** The Docker Engine: which one, how it is reached, and its API. */
export { engineDownload, engineGet, engineMessage, engineRequest, engineStream, type EngineAnswer, type EngineRequest } from './api';
export { whyNoAddress, withoutPassword } from './address';
export { chooseEngine, type Choice, type EngineProblem, type EngineSettings, type Surroundings } from './choose';
export { at, commandEnvironment, defaultSocket, infoCommand, isLocal, remedies, type Engine, type Tls } from './engine';
