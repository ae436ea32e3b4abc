import { architectures, type ModelConfig } from '@attune/models';

/** Number of values of a model's own weights. */
export function modelSize(config: ModelConfig): number {
  const shapes = [...architectures[config.architecture]!.parameterShapes(config).values()];
  return shapes.reduce((all, shape) => all + shape.reduce((a, b) => a * b, 1), 0);
}
