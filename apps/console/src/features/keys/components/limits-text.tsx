import type { ApiKeyView } from '@attune/contracts';
import { Text } from '@mantine/core';
import { formatCount } from '../../../lib/format.js';

/** `20 requests a day, 3 at once`, or that there is none. */
export function LimitsText({ apiKey }: { apiKey: ApiKeyView }) {
  const { requests_per_day, tokens_per_day, max_concurrent } = apiKey;
  const parts = [
    requests_per_day !== null && `${formatCount(requests_per_day)} requests a day`,
    tokens_per_day !== null && `${formatCount(tokens_per_day)} tokens a day`,
    max_concurrent !== null && `${formatCount(max_concurrent)} at once`,
  ].filter((part) => part !== false);
  return (
    <Text size="sm" c={parts.length === 0 ? 'dimmed' : undefined}>
      {parts.length === 0 ? 'none' : parts.join(', ')}
    </Text>
  );
}
