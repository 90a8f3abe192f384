import type { Operation } from './operation.ts'

/** Which answer has the value of a parameter of a path, and where. */
const sources: Readonly<Record<string, { readonly operationId: string; readonly expression: string }>> = {
  id: { operationId: 'issueKey', expression: '$response.body#/key/id' },
  owner: { operationId: 'issueKey', expression: '$response.body#/key/owner' },
  seq: { operationId: 'listJournal', expression: '$response.body#/entries/0/seq' },
  requestId: { operationId: 'verifyCredential', expression: '$response.header.X-Request-Id' },
}

/** Adds to successful answers how they lead on to other operations (OpenAPI: links). */
export function linkAnswers(operations: readonly Operation[]): void {
  for (const { operationId, parameters = [] } of operations) {
    const inPath = parameters.find((parameter) => parameter.in === 'path')
    const source = sources[inPath?.name ?? '']
    if (inPath === undefined || source === undefined) continue
    const link = { operationId, parameters: { [inPath.name]: source.expression } }
    const { responses = {} } = operations.find((one) => one.operationId === source.operationId) ?? {}
    for (const [status, response] of Object.entries(responses)) {
      if (status.startsWith('2')) response.links = { ...response.links, [operationId]: link }
    }
  }
}
