-- Neovim from 0.11 on: the list opens while one types.
vim.lsp.config("codewright", { cmd = { "codewright", "lsp" }, filetypes = { "python" } })
vim.lsp.enable("codewright")
vim.o.completeopt = "menuone,noselect"
vim.api.nvim_create_autocmd("LspAttach", {
  callback = function(event)
    local client = assert(vim.lsp.get_client_by_id(event.data.client_id))
    -- By itself it opens behind the server's trigger characters only: here behind any.
    local signs = {}
    for code = 32, 126 do
      table.insert(signs, string.char(code))
    end
    client.server_capabilities.completionProvider.triggerCharacters = signs
    vim.lsp.completion.enable(true, client.id, event.buf, { autotrigger = true })
  end,
})
