import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { keepPageOffline } from './lib/keep-page-offline.ts'

const target = document.getElementById('app')
if (target !== null) mount(App, { target })
if (import.meta.env.PROD) void keepPageOffline()
