"""One module a step; `store.catalogue.HEAD` names the last."""
