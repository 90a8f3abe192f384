import { noNginx } from '../../../../test/machine.ts'
import { nginx } from './nginx.ts'
import { proxyConformance } from './proxy-conformance.ts'

proxyConformance('nginx', noNginx(), nginx)
