"""From a query to the pipeline that answers it, and from documents to rows."""
