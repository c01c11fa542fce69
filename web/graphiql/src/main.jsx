import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './page.css'
import { createRoot } from 'react-dom/client'
import { language } from './language'
import { Page } from './page'

document.documentElement.lang = language
createRoot(document.getElementById('root')).render(<Page />)
