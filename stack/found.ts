/** Objects that a Docker Engine lists, as far as the preflight needs them, and their owners. */
import { stackLabel } from '../components/names';

export interface Labelled {
  readonly Labels: Readonly<Record<string, string>> | null;
}

export interface Named extends Labelled {
  readonly Name: string;
}

export interface Container extends Labelled {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  /** 'running', 'paused', 'exited', 'created' and so on. */
  readonly State: string;
  readonly Ports: readonly { readonly IP?: string; readonly PublicPort?: number }[];
}

const composeProject = 'com.docker.compose.project';

/** @param owner `project/stack` */
export const isOf = (owner: string, { Labels }: Labelled): boolean => Labels?.[stackLabel] === owner;

export const nameOf = ({ Names }: Container): string => Names[0]?.replace(/^\//, '') ?? 'a container';

export const describe = (container: Container): string => `container ${nameOf(container)}${origin(container)}`;

/** The owner, as far as its labels show. */
export function origin({ Labels }: Labelled): string {
  const [stack, project] = [Labels?.[stackLabel], Labels?.[composeProject]];
  return stack ? ` of stack ${stack}` : project ? ` of compose project ${project}` : '';
}

/** Whether an image is a Phoenix, whoever has built it. */
export const isPhoenix = (image: string): boolean => /(^|[/-])phoenix([:@]|$)/.test(image);

/** Whether an image is one that applications send to: Alloy, or an OpenTelemetry Collector, official or custom. */
export const isCollector = (image: string): boolean => /(^|[/-])(alloy|otelcol|otel-collector|opentelemetry-collector)(-contrib|-k8s)?([:@]|$)/.test(image);

/** Whether it belongs to any stack of this project. */
export const isOfStack = ({ Labels }: Labelled): boolean => Boolean(Labels?.[stackLabel]);
