// SPDX-License-Identifier: Apache-2.0
//
// Creates, checks and migrates the tables of a schema. Throws Poco exceptions. [setup]
#pragma once

#include "provider-common/sql_dialect.h"

namespace provider_common {

// The tables must exist and have the declared columns; older layouts get the newer columns. True when migrated.
// A view in place of a table is fine: it is never changed, and needs no version.
Outcome<bool> open_tables(Poco::Data::Session& session, const Dialect& dialect, const Schema& schema);

// The same without changing anything. True when open_tables would migrate.
Outcome<bool> look_at_tables(Poco::Data::Session& session, const Dialect& dialect, const Schema& schema);

// Creates what is missing in one transaction. True when something was.
Outcome<bool> create_tables(Poco::Data::Session& session, const Dialect& dialect, const Schema& schema);

}  // namespace provider_common
