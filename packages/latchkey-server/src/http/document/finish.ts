import type { OpenKeyring } from 'latchkey'
import { examplesIn } from './examples.ts'
import { linkAnswers } from './links.ts'
import { named } from './names.ts'
import { operationsOf } from './operation.ts'
import { closeProblems } from './problems.ts'

interface FinishOptions {
  readonly keyring: Pick<OpenKeyring, 'environments' | 'scopes'>
  /** The ids of the operations that may be called without a body. */
  readonly bodyless: ReadonlySet<string>
}

const requestId = {
  description: 'The id of the request, as the log has it',
  schema: { type: 'string' },
}

/** Adds what `@fastify/swagger` cannot know: this keyring's words, names, links, codes, optional bodies, request ids. */
export function finished<Document extends { readonly paths?: object; components?: object }>(
  document: Document,
  { keyring, bodyless }: FinishOptions,
): Document {
  const result = named(examplesIn(document, keyring))
  const operations = operationsOf(result)
  for (const { operationId, requestBody, responses } of operations) {
    if (requestBody !== undefined && bodyless.has(operationId)) requestBody.required = false
    for (const response of Object.values(responses)) {
      response.headers = { ...response.headers, 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }
    }
  }
  linkAnswers(operations)
  const problems = closeProblems(operations.flatMap(({ responses }) => Object.entries(responses)))
  const { schemas } = result.components
  const components = { ...result.components, schemas: { ...schemas, ...problems }, headers: { RequestId: requestId } }
  return { ...result, components }
}
