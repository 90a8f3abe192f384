import type { OpenKeyring } from 'latchkey'
import { examplesIn } from './examples.ts'
import { named } from './names.ts'

/** The parts of a document that are finished here. */
interface Operation {
  readonly operationId?: string
  requestBody?: { required?: boolean }
  readonly responses: Readonly<Record<string, { headers?: object }>>
}

interface FinishOptions {
  readonly keyring: Pick<OpenKeyring, 'environments' | 'scopes'>
  /** The ids of the operations that may be called without a body. */
  readonly bodyless: ReadonlySet<string>
}

const requestId = {
  description: 'The id of the request, as the log has it',
  schema: { type: 'string' },
}

/** What `@fastify/swagger` cannot know: names, this keyring's words, optional bodies, and the header of every answer. */
export function finished<Document extends { readonly paths?: object; components?: object }>(
  document: Document,
  { keyring, bodyless }: FinishOptions,
): Document {
  const result = named(examplesIn(document, keyring))
  for (const path of Object.values(result.paths ?? {})) {
    for (const operation of Object.values(path as Readonly<Record<string, Operation>>)) {
      if (operation.requestBody !== undefined && bodyless.has(String(operation.operationId))) {
        operation.requestBody.required = false
      }
      for (const response of Object.values(operation.responses)) {
        response.headers = { ...response.headers, 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }
      }
    }
  }
  return { ...result, components: { ...result.components, headers: { RequestId: requestId } } }
}
