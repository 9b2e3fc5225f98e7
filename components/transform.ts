/**
 * Overrides for a component's children, for a program that needs something that the component's arguments cannot express.
 */
import type * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';

/**
 * Gets the arguments and the options of a child, and returns those that it is created with.
 * @param name of the resource: a component may create several of a kind
 */
export type Transform<T> = (args: T, opts: pulumi.CustomResourceOptions, name: string) => { readonly args: T; readonly opts: pulumi.CustomResourceOptions };

/** Transforms by kind of child; each child is of one kind. */
export interface Transforms {
  /**
   * Containers that run forever.
   * @default unchanged
   */
  readonly container?: Transform<docker.ContainerArgs>;
  /**
   * Containers that run once, or only carry files.
   * @default unchanged
   */
  readonly job?: Transform<docker.ContainerArgs>;
  /**
   * Volumes.
   * @default unchanged
   */
  readonly volume?: Transform<docker.VolumeArgs>;
  /**
   * Images.
   * @default unchanged
   */
  readonly image?: Transform<docker.RemoteImageArgs>;
  /**
   * Everything else: passwords, API keys, resources at Cloudflare.
   * @default unchanged
   */
  readonly other?: Transform<pulumi.Inputs>;
}

/** @returns the options of a component with these transforms, which run before the caller's `transformations` */
export function transforming(transforms: Transforms | undefined, opts: pulumi.ComponentResourceOptions | undefined): pulumi.ComponentResourceOptions {
  if (transforms === undefined) {
    return opts ?? {};
  }
  const transformation: pulumi.ResourceTransformation = ({ resource, type, name, props, opts: given }) => {
    const transform = resource instanceof pulumi.ComponentResource ? undefined : (transforms[kindOf(type, props)] as Transform<pulumi.Inputs> | undefined);
    if (transform === undefined) {
      return undefined;
    }
    const { args, opts: changed } = transform(props as pulumi.Inputs, given, name);
    return { props: args, opts: changed };
  };
  return pulumi.mergeOptions({ transformations: [transformation] }, opts);
}

function kindOf(type: string, props: pulumi.Inputs): keyof Transforms {
  switch (type) {
    case 'docker:index/container:Container':
      return props['restart'] === 'no' ? 'job' : 'container';
    case 'docker:index/volume:Volume':
      return 'volume';
    case 'docker:index/remoteImage:RemoteImage':
      return 'image';
    default:
      return 'other';
  }
}
