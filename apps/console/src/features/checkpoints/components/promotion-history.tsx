import type { PromotionView } from '@attune/contracts';
import { Text, Timeline } from '@mantine/core';
import { formatTime } from '../../../lib/format.js';

export function PromotionHistory({ promotions }: { promotions: PromotionView[] }) {
  if (promotions.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Only the base model so far.
      </Text>
    );
  }
  return (
    <Timeline bulletSize={14} lineWidth={2} active={0}>
      {promotions.map((promotion) => (
        <Timeline.Item
          key={promotion.id}
          title={promotion.checkpoint_id === 'base' ? 'Base model' : promotion.checkpoint_id}
        >
          <Text size="sm">{promotion.reason}</Text>
          <Text size="xs" c="dimmed">
            {formatTime(promotion.created)} · {promotion.actor}
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
