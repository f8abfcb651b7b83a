"""The association store keeps the contract of every store."""

from dataclasses import replace

from nexome.store.associations import AssociationStore
from nexome.store.associations.verify import verify_store
from nexome.testing.associations import contents, tiny_block, tiny_molecules, tiny_root, tiny_study
from nexome.testing.stores import StoreContract


class TestOneTrait(StoreContract):
    def create(self, path):
        return tiny_root(path)

    def reopen(self, store):
        return AssociationStore.open(store.root.path)

    def stage(self, store, name, seed):
        staged = store.stage(replace(tiny_study(seed), id=name))
        staged.add(tiny_block(seed))
        return staged

    def publish(self, staged):
        staged.publish({"source": "contract"})

    def withdraw(self, store, name):
        store.withdraw(name, reason="a test")

    def contents(self, store):
        return contents(store)

    def findings(self, store):
        return verify_store(store.root.path).findings


class TestManyTraits(TestOneTrait):
    def stage(self, store, name, seed):
        staged = store.stage(replace(tiny_molecules(seed), id=name))
        staged.add(tiny_block(seed, features=60, traits=5))
        return staged
