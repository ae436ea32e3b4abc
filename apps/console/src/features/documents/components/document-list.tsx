import type { DocumentView } from '@attune/contracts';
import { Table, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconFileText } from '@tabler/icons-react';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { notifyError } from '../../../components/ui/notify.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { formatAgo, formatBytes } from '../../../lib/format.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { deleteDocument, documentsQuery } from '../api/documents.js';

export function DocumentList({ mayChange }: { mayChange: boolean }) {
  const documents = useQuery(documentsQuery());
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: deleteDocument,
    onError: notifyError,
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.documents }),
  });
  return (
    <QueryView query={documents}>
      {(all) =>
        all.length === 0 ? (
          <EmptyState icon={<IconFileText size={24} />} title="No documents yet">
            {mayChange
              ? 'Upload the first one above; the next question can already be answered from it.'
              : 'An administrator uploads them.'}
          </EmptyState>
        ) : (
          <Table.ScrollContainer minWidth={560}>
            <Table verticalSpacing="sm" aria-label="Documents">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th ta="right">Passages</Table.Th>
                  <Table.Th ta="right">Size</Table.Th>
                  <Table.Th>Added</Table.Th>
                  <Table.Th />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {all.map((document) => (
                  <Row
                    key={document.id}
                    document={document}
                    onDelete={mayChange ? () => remove.mutate(document.id) : null}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )
      }
    </QueryView>
  );
}

function Row({ document, onDelete }: { document: DocumentView; onDelete: (() => void) | null }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={500}>
          {document.filename}
        </Text>
      </Table.Td>
      <Table.Td ta="right">{document.num_passages}</Table.Td>
      <Table.Td ta="right">{formatBytes(document.bytes)}</Table.Td>
      <Table.Td>{formatAgo(document.created)}</Table.Td>
      <Table.Td ta="right">
        {onDelete && (
          <ConfirmButton
            label="Delete"
            name={`Delete ${document.filename}`}
            question={`Answers will no longer be grounded in ${document.filename}.`}
            onConfirm={onDelete}
            size="compact-xs"
            variant="subtle"
            color="red"
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
