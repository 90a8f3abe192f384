import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { browser } from './machine.ts'

/** Milliseconds for anything that a browser does: it fails when it never comes, and not on a machine that is slow. */
const timeout = 300_000

/** A page of a browser that is closed with the test. */
export async function browserPage(context: TestContext): Promise<Page> {
  const launched = await chromium.launch({
    executablePath: String(browser),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    timeout,
  })
  context.after(() => launched.close())
  const page = await launched.newPage()
  page.setDefaultTimeout(timeout)
  return page
}
