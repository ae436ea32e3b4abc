import type { Optimizer, Trainable } from '@attune/training';

/** An optimizer that keeps the mean gradient instead of using it. */
export class GradientRecorder implements Optimizer {
  readonly gradients = new Map<string, Float32Array>();

  update(parameters: readonly Trainable[], gradientScale: number): void {
    for (const { name, gradient } of parameters)
      this.gradients.set(
        name,
        gradient.map((x) => x * gradientScale),
      );
  }

  state() {
    return { step: 0, arrays: new Map<string, Float32Array>() };
  }

  restore(): void {
    this.gradients.clear();
  }
}
