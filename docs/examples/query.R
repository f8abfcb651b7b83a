# Ask a Nexome server from R, with base R alone.
#
#   Rscript query.R http://127.0.0.1:8321 rs4988235
#
# The API answers tab-separated text, which read.delim reads as a data frame. A token, where one is
# needed, goes into a header, never into the address.

arguments <- commandArgs(trailingOnly = TRUE)
server <- sub("/$", "", arguments[1])
variant <- arguments[2]

ask <- function(path, ..., token = Sys.getenv("NEXOME_TOKEN")) {
  query <- c(format = "tsv", ...)
  pairs <- paste0(names(query), "=", vapply(query, URLencode, "", reserved = TRUE))
  address <- paste0(server, "/api/v1/", path, "?", paste(pairs, collapse = "&"))
  headers <- if (nzchar(token)) c(Authorization = paste("Bearer", token))
  connection <- url(address, headers = headers)
  read.delim(connection, quote = "", comment.char = "", na.strings = "")
}

# One variant across all traits, strongest first.
phewas <- ask(paste0("phewas/", URLencode(variant, reserved = TRUE)), page_size = "100000")
phewas <- phewas[order(-phewas$neg_log_10_p_value), ]
print(head(phewas[c("trait", "beta", "standard_error", "p_value")], 5), row.names = FALSE)

# The region around it in the strongest study.
study <- phewas$study_id[1]
middle <- phewas$base_pair_location[1]
region <- sprintf("%s:%d-%d", phewas$chromosome[1], max(1, middle - 500000), middle + 500000)
around <- ask(paste0("studies/", study, "/associations"), region = region, page_size = "100000")
cat(nrow(around), "associations of", study, "in", region, "\n")
