import { Box, Text } from '@mantine/core';
import { Bar, BarChart } from 'recharts';
import { formatCount, plural } from '../../../lib/format.js';
import { totals, type DayOfUse } from '../use-by-day.js';

/** What a key has used, in one line of a table: a bar a day, and the sums. */
export function UseSparkline({ days }: { days: DayOfUse[] }) {
  const { requests, tokens } = totals(days);
  if (requests === 0) {
    return (
      <Text size="sm" c="dimmed">
        nothing
      </Text>
    );
  }
  return (
    <>
      <Box aria-hidden>
        <BarChart
          width={110}
          height={22}
          data={days}
          margin={{ top: 0, right: 0, bottom: 0, left: 0 }}
          barCategoryGap={1}
        >
          <Bar dataKey="requests" fill="var(--mantine-color-teal-6)" isAnimationActive={false} minPointSize={0} />
        </BarChart>
      </Box>
      <Text size="xs" c="dimmed">
        {plural(requests, 'request')}, {formatCount(tokens)} tokens
      </Text>
    </>
  );
}
