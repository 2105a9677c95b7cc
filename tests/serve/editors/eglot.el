;; Emacs with Eglot: M-x completion-at-point.
(require 'eglot)
(add-to-list 'eglot-server-programs '(python-mode . ("codewright" "lsp")))
