import * as pulumi from '@pulumi/pulumi';

/**
 * An error on a property of a component's arguments. Pulumi shows only the reason, which therefore names the property.
 * @param propertyPath such as `door.bind`
 * @param reason a sentence without its full stop
 */
export const wrongInput = (propertyPath: string, reason: string): pulumi.InputPropertyError =>
  new pulumi.InputPropertyError({ propertyPath, reason: `${propertyPath}: ${reason}` });
