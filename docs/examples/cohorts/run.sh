#!/usr/bin/env bash
# From files to one harmonised table and a reference set, in one command:
#   bash docs/examples/cohorts/run.sh ROOT ../shared/data/phenotypes
# ROOT is made where it is not. Everything said is kept in ROOT/harmonisation. docs/harmonisation-real.md explains it.
set -euo pipefail
root=${1:?the root}
data=${2:?the folder with the tables}
here=$(cd "$(dirname "$0")" && pwd)
out=$root/harmonisation

[ -e "$root/root.json" ] || nexome init "$root"
mkdir -p "$out"

bring() { # cohort, file, options
  local cohort=$1 file=$2
  shift 2
  nexome import cohort --root "$root" "$data/$file" --cohort "$cohort" --dictionary "$here/$cohort.dictionary.csv" \
    --about "$here/$cohort.about.yaml" --extra-columns drop --yes "$@"
}

# Who stands in the tables twice is looked at before the import, while every column is there.
nexome cohort repeats --root "$root" "$data/nhanes_2009_2012.csv.gz" --participant ID | tee "$out/repeats-nhanes.txt"
nexome cohort repeats --root "$root" "$data/acs_korea_mgdl.csv.gz" | tee "$out/repeats-acs-korea.txt"

bring nhanes nhanes_2009_2012.csv.gz --duplicates first
bring seychelles seychelles_cardiorisk_mislabelled.csv.gz --each-row-a-person
bring nhefs nhefs.csv.gz
bring flchain flchain.csv.gz --each-row-a-person
bring acs-korea acs_korea_mgdl.csv.gz --each-row-a-person
bring cleveland uci_cleveland_heart.csv.gz --each-row-a-person
bring tongji-en tongji_covid_375_en.csv.gz --duplicates first
bring tongji-zh tongji_covid_375_zh.csv.gz --duplicates first
bring pbc pbc_mayo.csv.gz

sources="nhanes seychelles nhefs flchain acs-korea cleveland tongji-en tongji-zh pbc"
nexome cohort units --root "$root" $sources > "$out/units.txt"
nexome cohort propose --root "$root" $sources --target "$here/target.dictionary.csv" --name reference \
  --write "$out/proposed.yaml" > "$out/proposals.txt"

# What was proposed, read and completed by a person: mapping.yaml
nexome cohort harmonise --root "$root" "$here/mapping.yaml" | tee "$out/harmonised.txt"
nexome cohort conflicts --root "$root" reference | tee "$out/conflicts.txt"
nexome cohort conflicts --root "$root" reference --json > "$out/conflicts.json"

# Reference values of the adults of the three sources that were drawn from a population. A reference set of the two
# whose people were ill, or smokers, would say where patients lie.
nexome reference build --root "$root" adults --cohort reference --age-bands 20,30,40,50,60,70,80 \
  --healthy "source in ('nhanes', 'seychelles', 'flchain') and age >= 20 a" \
  --title "Adults of three populations" --title-zh "三个人群的成人" | tee "$out/reference.txt"
