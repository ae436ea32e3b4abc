import type { Locator, Page } from 'playwright-core';

/** Types a question and sends it by Enter. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.getByRole('button', { name: 'Send message' }).and(page.locator(':enabled')).waitFor();
  await page.getByRole('textbox', { name: 'Message' }).press('Enter');
}

/** The newest answer once nothing is being written any more. */
export async function finishedAnswer(page: Page): Promise<Locator> {
  const answer = page.getByRole('article', { name: 'Answer', exact: true }).last();
  await answer.and(page.locator('[aria-busy="false"]')).waitFor();
  return answer;
}

/** What the model wrote, without buttons and notes. */
export async function answerText(answer: Locator): Promise<string> {
  return (await answer.getByTestId('answer-text').allInnerTexts()).join('').trim();
}
