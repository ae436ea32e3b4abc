import { messageOf } from '@attune/platform';
import { defaultCacheDir, installationKey, recall, remember, runScript } from './child.js';

/** Whether the C API may be used in this installation, and if not, why. */
export type Verdict = { readonly usable: true } | { readonly usable: false; readonly reason: string };

const PASSED = 'onnxruntime-capi.txt';

/**
 * Runs the self-test in a child process, because a wrong function table crashes rather than fails, and remembers a pass
 * per installed library, so that only the first start pays for it.
 */
export function probeCapi(cacheDir = defaultCacheDir()): Verdict {
  try {
    const key = installationKey();
    if (recall(cacheDir, PASSED) === key) return { usable: true };
    const verdict = testInChild();
    if (verdict.usable) remember(cacheDir, PASSED, key);
    return verdict;
  } catch (error) {
    return { usable: false, reason: messageOf(error) };
  }
}

function testInChild(): Verdict {
  const result = runScript('self-test-main.js');
  if (result.ended !== 'well') return { usable: false, reason: result.how };
  const failures = JSON.parse(result.output) as string[];
  return failures.length === 0 ? { usable: true } : { usable: false, reason: `self-test: ${failures.join('; ')}` };
}
