/**
 * Walks through a list page by page, for as long as it is asked for the next one. It works with every verb that answers
 * pages (`list`, `owners`, `journal`, `usage`, `refusals`), of a keyring on its own store and over HTTP.
 *
 * @param list - the verb.
 * @param options - its options: a filter, `limit` for the size of a page, and `cursor` to begin after rows that were
 *   already read.
 *
 * @throws any error of the verb.
 *
 * @example
 * for await (const { keys } of pages(keyring.list, { owner: 'acme', state: 'active' })) {
 *   for (const { id, name } of keys) console.log(id, name)
 * }
 */
export async function* pages<
  Options extends { readonly cursor?: string },
  Page extends { readonly cursor: string | null },
>(
  list: (options?: Options) => Promise<Page>,
  options: NoInfer<Options> = {} as Options,
): AsyncGenerator<Page, void, undefined> {
  let page = await list(options)
  yield page
  while (page.cursor !== null) {
    page = await list({ ...options, cursor: page.cursor })
    yield page
  }
}
