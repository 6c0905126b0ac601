"""pymongo by hand: what the server and the driver cost without an ORM."""

import re
from typing import Any

from pymongo import MongoClient

from . import data
from .operations import Operation, joined_slugs, slugs


class Raw:
    """Documents as somebody without an ORM would keep them, by their `_id`."""

    def __init__(self, uri: str, name: str) -> None:
        self.database = MongoClient(uri)[name]
        self.row, self.load = self.database["row"], self.database["load"]
        categories = [{"name": f"Category {number}", "rank": number} for number in range(data.CATEGORIES)]
        self.database["category"].insert_many(categories)
        self.documents = [{**row, "category": categories[row["category"]]["_id"]} for row in data.rows()]
        self.row.insert_many(self.documents)
        for collection in (self.row, self.load):
            for column in data.INDEXED:
                collection.create_index(column)

    def operations(self) -> dict[str, Operation]:
        """By name, as `orm.Orm.operations`."""
        return {
            "bulk_create": Operation(lambda _, new: self.load.insert_many(new), self.loaded, self.new_rows),
            "get": Operation(lambda _, key: self.row.find_one({"_id": key}), lambda row: row["slug"], self.key),
            "page": Operation(self.page, slugs),
            "count": Operation(self.count, int),
            "joined_list": Operation(self.joined_list, joined_slugs),
            "search": Operation(self.search, slugs),
            "save_update": Operation(self.save_update, int, self.changed),
            "save_insert": Operation(lambda _, new: self.load.insert_one(new), lambda _: None, self.new_row),
            "update": Operation(self.update, int),
            "group": Operation(self.group, sorted),
        }

    def new_rows(self, number: int) -> list[dict]:
        self.load.delete_many({})
        return [{key: value for key, value in one.items() if key != "_id"} for one in self.documents]

    def loaded(self, result: Any) -> int:
        return self.load.count_documents({})

    def key(self, number: int) -> Any:
        return self.documents[number * 37 % data.ROWS]["_id"]

    def page(self, number: int, _: None) -> list[dict]:
        return list(self.row.find({"b": {"$gte": number * 31 % 9000}}).sort("b", 1).limit(50))

    def count(self, number: int, _: None) -> int:
        return self.row.count_documents({"kind": f"kind-{number % data.KINDS}"})

    def joined_list(self, number: int, _: None) -> list[dict]:
        lookup = {"from": "category", "localField": "category", "foreignField": "_id", "as": "category"}
        stages = [{"$match": {"a": {"$gte": 5000}}}, {"$sort": {"score": 1}}, {"$limit": 50}]
        return list(self.row.aggregate([*stages, {"$lookup": lookup}, {"$unwind": "$category"}]))

    def search(self, number: int, _: None) -> list[dict]:
        return list(self.row.find({"text": {"$regex": re.escape("needle"), "$options": "i"}}))

    def changed(self, number: int) -> dict:
        return {**self.documents[number * 41 % data.ROWS], "c": number}

    def save_update(self, number: int, row: dict) -> int:
        values = {column: value for column, value in row.items() if column != "_id"}
        return self.row.update_one({"_id": row["_id"]}, {"$set": values}).matched_count

    def new_row(self, number: int) -> dict:
        return {column: value for column, value in self.documents[number % data.ROWS].items() if column != "_id"}

    def update(self, number: int, _: None) -> int:
        kinds = [f"kind-{number % 10}", f"kind-{number % 10 + 10}"]
        return self.row.update_many({"kind": {"$in": kinds}}, {"$set": {"c": number}}).matched_count

    def group(self, number: int, _: None) -> list:
        groups = self.row.aggregate([{"$group": {"_id": "$kind", "n": {"$sum": 1}}}])
        return [[group["_id"], group["n"]] for group in groups]
