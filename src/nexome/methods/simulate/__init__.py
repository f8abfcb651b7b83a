"""A made-up population: founders by the coalescent, people, genes and traits with known causes.

    coalescent.py   founder haplotypes with linkage disequilibrium
    people.py       an assembly, variants, genes, and people who are mosaics of the founders
    catalogue.py    the 40 traits by name and design, English and Chinese
    traits.py       causes drawn and phenotypes made from genotypes

Everything is decided by one seed. No real person, gene or variant is in it; traits bear real names so that
the demo reads like a biobank, and every label says that it is simulated.
"""
