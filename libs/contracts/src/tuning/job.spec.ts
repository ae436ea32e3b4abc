import { describe, expect, it } from 'vitest';
import { createTuningJobRequest, tuningForms } from '../index.js';

describe('what a training job is told', () => {
  const problems = (config: object) =>
    createTuningJobRequest.safeParse({ config }).error?.issues.map(({ path, message }) => [path.join('.'), message]);

  it('is refused where 8-bit weights would lie under nothing', () => {
    const [[path, message]] = problems({ form: 'full', base_weights: 'int8' }) as [[string, string]];
    expect(path).toBe('config.base_weights');
    expect(message).toContain('use form "lora"');
    expect(problems({ form: 'full' })).toBeUndefined();
    for (const form of tuningForms)
      if (form !== 'full') expect(problems({ form, base_weights: 'int8' }), form).toBeUndefined();
  });
});
