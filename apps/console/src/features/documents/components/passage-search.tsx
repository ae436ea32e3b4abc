import { Badge, Group, Highlight, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { QueryView } from '../../../components/ui/query-view.js';
import { formatNumber } from '../../../lib/format.js';
import { passagesQuery } from '../api/documents.js';
import classes from './documents.module.css';

/** Shows what a question would find, best first, with the scores retrieval goes by. */
export function PassageSearch() {
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 250);
  const passages = useQuery(passagesQuery(query));
  return (
    <Stack gap="sm">
      <TextInput
        type="search"
        label="Search the passages"
        placeholder="Ask as you would in the chat"
        leftSection={<IconSearch size={16} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {query !== '' && (
        <QueryView query={passages}>
          {(found) =>
            found.length === 0 ? (
              <Text size="sm" c="dimmed" role="status">
                No passage fits these words.
              </Text>
            ) : (
              <Stack gap="xs" role="list" aria-label="Passages found">
                {found.map((passage) => (
                  <div key={passage.id} className={classes.passage} role="listitem">
                    <Group justify="space-between" mb={4}>
                      <Text size="xs" c="dimmed">
                        {passage.filename} · passage {passage.ordinal + 1}
                      </Text>
                      <Badge size="sm" variant="light" tt="none">
                        score {formatNumber(passage.score)}
                      </Badge>
                    </Group>
                    <Highlight
                      highlight={query.split(/\s+/).filter((word) => word.length > 2)}
                      size="sm"
                      style={{ whiteSpace: 'pre-wrap' }}
                    >
                      {passage.text}
                    </Highlight>
                  </div>
                ))}
              </Stack>
            )
          }
        </QueryView>
      )}
    </Stack>
  );
}
