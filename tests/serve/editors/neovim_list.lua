-- Neovim before 0.11: CTRL-X CTRL-O opens the list.
vim.o.completeopt = "menuone,noselect"
vim.api.nvim_create_autocmd("FileType", {
  pattern = "python",
  callback = function()
    local id = vim.lsp.start_client({ name = "codewright", cmd = { "codewright", "lsp" } })
    vim.lsp.buf_attach_client(0, id)
    vim.bo.omnifunc = "v:lua.vim.lsp.omnifunc"
  end,
})
