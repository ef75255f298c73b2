interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked for in one turn of the event loop is asked together.
 *
 * @param ask resolves to what tells the answer to each of these questions; when it rejects, each is answered so
 */
export function gather<Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<(question: Question) => Answer>,
): (question: Question) => Promise<Answer> {
  let waiting: Waiting<Question, Answer>[] = [];

  async function askTogether(): Promise<void> {
    const together = waiting;
    waiting = [];
    try {
      const answer = await ask(together.map(({ question }) => question));
      for (const { question, resolve } of together) resolve(answer(question));
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (waiting.length === 1) setImmediate(() => void askTogether());
    });
}
