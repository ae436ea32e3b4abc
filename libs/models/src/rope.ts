import type { ModelConfig, RopeScaling } from './config.js';

/** cos and sin tables [positions, headDim / 2] for the first `positions` positions, row-major. */
export function rotaryTables(config: ModelConfig, positions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      // Angles are rounded to float32 first, as transformers does, so that both agree far out.
      const angle = Math.fround(position * Math.fround(frequencies[i]!));
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  return { cos, sin };
}

/** theta^(−2i/d), stretched by the configured scaling; length headDim / 2. */
export function inverseFrequencies(config: ModelConfig): number[] {
  const { headDim, ropeTheta, ropeScaling } = config;
  return Array.from({ length: headDim / 2 }, (_, i) => stretch(ropeTheta ** ((-2 * i) / headDim), ropeScaling));
}

/**
 * Llama 3.1 keeps short wavelengths, divides long ones by `factor` and blends between
 * (transformers, modeling_rope_utils._compute_llama3_parameters).
 */
function stretch(frequency: number, scaling: RopeScaling): number {
  if (scaling.kind === 'none') return frequency;
  if (scaling.kind === 'linear') return frequency / scaling.factor;
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const blend = (turns - low) / (high - low);
  return ((1 - blend) * frequency) / factor + blend * frequency;
}
